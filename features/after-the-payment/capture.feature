@capture
Feature: The Partner captures
  Klarna has approved; the Partner takes the money when the goods leave. Klarna is asked for what the Partner
  asks for: that much, and once.

  @AP-50
  Scenario: The whole amount
    Given a Partner with an order of 459.00 SEK
    And Klarna will approve the payment
    When the Partner creates the payment
    Then the acquirer tells the Partner that the payment is approved
    When the Partner captures the whole amount
    Then Klarna has captured 459.00 SEK in 1 capture
    And the acquirer responds that the capture is done

  @AP-50
  Scenario: The whole amount, after a step-up
    Given a Partner with an order of 459.00 SEK
    And Klarna will require a step-up
    When the Partner creates the payment
    And the Partner launches the Klarna purchase journey
    And the customer approves the purchase
    Then the acquirer tells the Partner that the payment is approved
    When the Partner captures the whole amount
    Then Klarna has captured 459.00 SEK in 1 capture
    And the acquirer responds that the capture is done

  @AP-50 @partial_capture
  Scenario Outline: In two parts: <order>
    Given a Partner with an order of <order>
    And Klarna will approve the payment
    When the Partner creates the payment
    Then the acquirer tells the Partner that the payment is approved
    When the Partner captures <first>
    Then Klarna has captured <first> in 1 capture
    When the Partner captures <rest>
    Then Klarna has captured <order> in 2 captures
    And the acquirer responds that the capture is done

    Examples:
      | order      | first      | rest       |
      | 459.00 SEK | 100.50 SEK | 358.50 SEK |
      | 4590 JPY   | 1000 JPY   | 3590 JPY   |

  @AP-50 @partial_capture
  Scenario: More than what is left is refused, and the Partner is told
    Given a Partner with an order of 459.00 SEK
    And Klarna will approve the payment
    When the Partner creates the payment
    Then the acquirer tells the Partner that the payment is approved
    When the Partner captures 300.00 SEK
    And the Partner captures 200.00 SEK
    Then the acquirer responds that the capture is refused
    And Klarna has captured 300.00 SEK in 1 capture

  @AP-33 @AP-50 @partial_capture
  Scenario: Asked for twice, it is made once
    The Partner did not hear the first answer, and asks again with the same idempotency key. Of a part there
    would be enough left for another capture.

    Given a Partner with an order of 459.00 SEK
    And Klarna will approve the payment
    When the Partner creates the payment
    Then the acquirer tells the Partner that the payment is approved
    When the Partner captures 100.00 SEK
    And the Partner asks for the same capture again
    Then Klarna has captured 100.00 SEK in 1 capture
    And the acquirer responds that the capture is done

  @AP-33 @AP-38 @AP-50 @partial_capture @timing.retry_within_ms
  Scenario Outline: Klarna in trouble is asked again for the same capture: <trouble>
    Given a Partner with an order of 459.00 SEK
    And Klarna will approve the payment
    And Klarna will meet the capture with <trouble>
    When the Partner creates the payment
    Then the acquirer tells the Partner that the payment is approved
    When the Partner captures 100.00 SEK
    Then the acquirer repeats the capture with the same key and body
    And Klarna has captured 100.00 SEK in 1 capture

    Examples:
      | trouble             |
      | status 503          |
      | a broken connection |
      | a lost answer       |
