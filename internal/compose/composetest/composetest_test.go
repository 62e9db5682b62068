package composetest

import (
	"reflect"
	"testing"

	"vestnik/internal/compose"
	"vestnik/internal/mailing"
)

func TestTheSameNumberIsTheSameMessage(t *testing.T) {
	many := Messages(60)
	if few := Messages(30); !reflect.DeepEqual(few, many[:30]) {
		t.Error("the first 30 of 60 differ from 30")
	}
	if reflect.DeepEqual(many[11].Source, many[45].Source) {
		t.Error("two messages are the same")
	}
}

func TestAThousandMessagesHaveAllThatIsSpecial(t *testing.T) {
	formats := map[mailing.Format]int{}
	inUTF8, files, large := 0, 0, 0
	for _, m := range Messages(1000) {
		formats[m.Source.Format]++
		if _, needsUTF8, err := compose.WireAddress(m.Recipient.Email); err != nil {
			t.Errorf("%s: %v", m.Name, err)
		} else if needsUTF8 {
			inUTF8++
		}
		files += len(m.Source.Attachments)
		if len(m.Source.Body)+len(m.Recipient.Comment) >= megabyte/2 {
			large++
		}
		if m.Source.Format == mailing.FormatText && m.Plain == "" {
			t.Errorf("%s: nothing is known about how it arrives", m.Name)
		}
	}
	if len(formats) != 3 || inUTF8 < 50 || files < 100 || large < 50 {
		t.Errorf("formats %v, %d addresses in UTF-8, %d files, %d large ones", formats, inUTF8, files, large)
	}
}
